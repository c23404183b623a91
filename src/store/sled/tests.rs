//! Tests that look behind the trait.
