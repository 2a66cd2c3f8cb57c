"""CA keys in PKCS#11 tokens: an HSM, a smart card, SoftHSM; PKCS#11 v2.40 and above."""
