"""What others declare - certbot, lego, cert-manager - in our words, and line by line what became of it."""
