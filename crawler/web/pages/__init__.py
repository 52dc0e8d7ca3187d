"""The pages: one module each. A page is a function that answers a request from the store."""
