"""Tests in the folders of the package; a package too, so that processes which tests start can import their modules."""
