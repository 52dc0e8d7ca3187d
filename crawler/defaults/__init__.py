"""What the program ships with: the rules, and templates that commands copy."""
