"""Families of sites on one content management system: what their page classes and requests share."""
