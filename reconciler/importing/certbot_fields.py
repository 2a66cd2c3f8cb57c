"""Every setting of certbot's renewal files and of cli.ini, and what is known of each (certbot 5, cli/)."""

from collections.abc import Mapping

from reconciler.importing.notes import TAKEN, Rule, Table, left, silent

_FOLDER = silent("folders of certbot itself")
_ASKING = silent("how certbot was asked: nothing of the certificate")
_STAPLING = left("no certificate with OCSP must-staple is issued: leave stapling to the web server")
_SUBSET = left("all names or none are asked for: take a name that cannot be proved out of dnsNames")
_HTTPS = left("redirects, HSTS and stapling are the web server's own configuration")
_ENTRY = "a default for what is asked for anew: each renewal file says its own"

SETTINGS: Mapping[str, Rule] = {
    **dict.fromkeys(
        (
            *("authenticator", "installer", "server", "account", "email", "webroot_path"),
            *("webroot_map", "http01_port", "http01_address", "preferred_chain", "profile"),
            *("preferred_profile", "required_profile", "reuse_key", "key_type", "rsa_key_size"),
            *("elliptic_curve", "renew_hook", "deploy_hook", "pre_hook", "post_hook", "eab_kid"),
            *("eab_hmac_key", "must_staple", "autorenew", "domains", "csr", "manual_auth_hook"),
            *("manual_cleanup_hook", "dns_rfc2136_credentials", "dns_google_project"),
        ),
        TAKEN,
    ),
    **dict.fromkeys(("config_dir", "work_dir", "logs_dir", "cert_path", "key_path"), _FOLDER),
    **dict.fromkeys(("fullchain_path", "chain_path", "cert_name", "certname"), _FOLDER),
    **dict.fromkeys(
        (
            *("agree_dev_preview", "agree_tos", "tos", "apache", "nginx", "standalone", "webroot"),
            *("manual", "break_my_certs", "checkpoints", "config_file", "configurator", "debug"),
            *("debug_challenges", "dry_run", "duplicate", "eff_email", "expand", "func", "ifaces"),
            *("force_interactive", "init", "issuance_timeout", "manual_public_ip_logging_ok"),
            *("max_log_backups", "new_key", "no_bootstrap", "no_eff_email", "no_self_upgrade"),
            *("no_permissions_check", "no_verify_ssl", "noninteractive_mode", "non_interactive"),
            *("os_packages_only", "post_register", "preconfigured_renewal", "prepare", "quiet"),
            *("random_sleep_on_renew", "register_unsafely_without_email", "reinstall", "staging"),
            *("renew_by_default", "renew_with_new_domains", "rollback_checkpoints", "test_cert"),
            *("strict_permissions", "text", "text_mode", "user_agent", "user_agent_comment"),
            *(
                "verb",
                "verbose",
                "verbose_count",
                "verbose_level",
                "validate_hooks",
                "tls_sni_01_port",
            ),
            *(
                "directory_hooks",
                "disable_renew_updates",
                "manual_test_mode",
                "delete_after_revoke",
            ),
            *("https_port", "keep_until_expiring", "keep", "no_directory_hooks", "reason", "num"),
            *(
                "tls_sni_01_address",
                "no_random_sleep_on_renew",
                "no_reuse_key",
                "auto_hsts_not_set",
            ),
        ),
        _ASKING,
    ),
    **dict.fromkeys(("hsts", "auto_hsts", "redirect", "uir", "staple"), _HTTPS),
    "allow_subset_of_names": _SUBSET,
    "pref_challs": silent("its authenticator says how names are proved"),
    "preferred_challenges": silent("its authenticator says how names are proved"),
    "ip_addresses": TAKEN,
    "no_autorenew": TAKEN,
}
"""By the name a setting has in a renewal file; in cli.ini it may have hyphens."""
RENEWAL: Table = {
    "version": silent("certbot's own version"),
    **dict.fromkeys(("cert", "archive_dir", "renew_before_expiry"), TAKEN),
    **dict.fromkeys(("privkey", "chain", "fullchain"), silent("said with `cert`")),
    **{f"renewalparams.{name}": rule for name, rule in SETTINGS.items()},
    "acme_renewal_info": silent("when the CA was asked last: certform asks by itself (ARI)"),
}
OFTEN_OFF = frozenset({"False", "false", "no", "None", ""})
"""How a setting says no."""
STAPLING, ENTRY = _STAPLING.words, _ENTRY
