"""The configuration and what follows from it: experiments, paths and outputs. The rules import this package."""
