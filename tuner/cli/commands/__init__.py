"""What is typed: each command's options and help. What a command does is imported when it runs."""
