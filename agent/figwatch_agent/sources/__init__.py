"""Where counts and answers come from: scraped pages, probes, recordings."""
