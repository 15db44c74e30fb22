"""An interrupted run goes on: what is done is not done again, and only like with like."""
