//! The program: parse the command line, run it, tell how it ended.

fn main() {}
