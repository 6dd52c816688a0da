"""Tests of the SendGrid emulator, over real HTTP."""
