"""What is deployed of ecr-warden: the file that says it, the stacks that it stands for, and how they come about."""
