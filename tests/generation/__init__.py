"""Tests of what the template generates."""
