"""What tests of more than one file need: files and networks to try things on, and second writings to compare with."""
