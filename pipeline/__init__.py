"""What flows through the pipeline and what carries it: messages, clocks, channels, actors."""
