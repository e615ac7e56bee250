"""What runs inside a sandbox: sent to its interpreter as source text, so it imports nothing but the standard library."""
