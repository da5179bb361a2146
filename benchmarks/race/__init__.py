"""The race: this worker beside what others offer for the same task, each as its documentation teaches it."""
