"""Commands of the command line, one file a command or group."""
