"""What a shell calls: the commands, their options and what they print."""
