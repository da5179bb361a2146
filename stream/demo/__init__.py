"""The demo: real flights, replayed."""
