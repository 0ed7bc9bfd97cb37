"""Every schedule, up to exchanging independent neighbours, run on one instance per actor; what they give."""
