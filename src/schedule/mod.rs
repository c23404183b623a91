//! When to poll next. Pure: the clock is passed in.
