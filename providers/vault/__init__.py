"""The PKI engine of HashiCorp Vault and OpenBao, through hvac."""
