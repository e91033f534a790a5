"""From findings to text: for people, for programs, for code hosts."""
