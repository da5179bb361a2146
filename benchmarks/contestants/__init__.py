"""What is compared: each module is a program that reads one topic from its start and predicts on another."""
