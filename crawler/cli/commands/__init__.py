"""The commands: one file for a command, or for a group of commands. The function with the options is the command."""
