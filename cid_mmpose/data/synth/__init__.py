"""The renderer behind SynthCrowd: pose -> skeleton -> figure -> placement -> scene."""
