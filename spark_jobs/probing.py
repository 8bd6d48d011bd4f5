"""Targets that nobody asks for but who looks for a way in, known by the path and the answer alone.

Two lists. Secrets that no site hands out and attempts to run code count whatever the answer. Doors of widespread
software are real pages of a site that runs it, so they count only when the answer is 4xx: the site does not run
it, or keeps the caller out. What a browser fetches on such a site by itself (uploads, styles, admin-ajax.php) is
no door. The classes follow the OWASP core rule set (930 files, 932 commands, 933 PHP, 941 scripts, 942 SQL, 944
Java).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

DECODINGS = 3  # a target may be percent-encoded more than once to hide it

# What is looked for -> alternatives on the decoded, lower-case path. Literals, classes and bounded repeats only:
# matching stays linear in a path of at most 512 characters.
_ALWAYS = {
    "secrets": (
        r"/\.(?:env|git|svn|hg|aws|ssh|docker|kube|htpasswd|htaccess|npmrc|netrc|pgpass|bash_history)(?:$|[/._~-])",
        r"/\.vscode/sftp\.json$",
        r"/(?:id_rsa|id_dsa|id_ed25519)$",
        r"/(?:wp-config|config\.inc|localsettings|configuration)\.php(?:[.~_-]{1,2}(?:bak|old|orig|save|swp|txt|zip)?)$",
    ),
    "system files": (
        r"\.\.[/\\]",
        r"^/{1,8}(?:etc/(?:passwd|shadow)$|proc/self/|windows/system32/|windows/win\.ini$|boot\.ini$)",
    ),
    "code": (
        r"\$\{(?:jndi|env|sys|lower|upper|::-)",
        r"<script\b",
        r"\bunion(?:\s|\+|/\*{1,2}/){1,5}(?:all(?:\s|\+){1,5})?select\b",
        r"/eval-stdin\.php$",
        r"/_ignition/execute-solution$",
        r"/app/invokefunction\b",
        r"/w00tw00t\b",
    ),
}
_WHEN_REFUSED = {
    "wordpress": (
        r"/(?:wp-login|xmlrpc|wp-signup|wp-load|wp-config)\.php$",
        r"/wp-admin(?:/(?:setup-config\.php|install\.php|index\.php|css/?)?)?$",
        r"/wp-(?:content|includes)/[^?]{0,200}\.php$",
        r"/wlwmanifest\.xml$",
        r"/wp-json/wp/v2/users\b",
    ),
    "database tools": (
        r"/(?:phpmyadmin|pma|myadmin|mysqladmin|mysql-admin|mysqlmanager|dbadmin|phppgadmin|sqlmanager|adminer|websql)"
        r"[0-9._-]{0,10}(?:php)?(?:/|$)",
        r"/sqlite(?:manager)?/main\.php$",
    ),
    "administration": (
        r"/(?:administrator|admin|cpanel|webadmin|siteadmin)(?:/index|/login)?\.(?:php|asp|aspx|jsp|cfm)$",
        r"/administrator/(?:index\.php)?$",
        r"/(?:host-)?manager/(?:html|text|status)$",
        r"/(?:solr/admin|jenkins/login|jmx-console|web-console|invoker/(?:jmx|ejb)invokerservlet)(?:/|$)",
        r"/(?:telescope/requests|horizon/api|debug/default/view|_profiler/phpinfo|actuator)(?:/|$)",
        r"/(?:nacos|druid)/(?:v1/|index\.html$)",
        r"/vendor/phpunit/",
        r"/(?:phpinfo|info|test|php_info|i|pi|infophp|azenv)\.php$",
        r"/(?:server-(?:status|info)|muieblackcat)$",
        r"/(?:cfide/administrator|fckeditor|ckfinder|kcfinder|axis2|jbossws|geoserver/web)(?:/|$)",
    ),
    "devices": (
        r"/(?:owa/auth|autodiscover/autodiscover\.(?:xml|json)|ecp/current|ews/exchange\.asmx)\b",
        r"/(?:remote/(?:login|fgt_lang)|dana-na|vpns?|\+cscoe\+)(?:/|$)",
        r"/(?:boaform|goform|gponform|hnap1|setup\.cgi|tmunblock\.cgi|picsdesc\.xml|wanipcn\.xml)(?:/|$)",
        r"/cgi-bin/(?:[^/]{1,64}\.(?:sh|cgi)|luci|php|bash|sh|test-cgi)(?:/|$)",
        r"/(?:sdk|v2/_catalog|_cat/indices|_all_dbs|containers/json)$",
        r"/latest/meta-data(?:/|$)",
    ),
    "leftovers": (
        r"/(?:shell|cmd|c99|r57|wso|webshell|alfa|b374k|mini)\.(?:php|jsp|jspx|asp|aspx)$",
        r"/(?:dump|backup|database|db|site|www|localhost)\.(?:sql|sql\.gz|zip|tar\.gz|tgz|rar|7z|bak)$",
    ),
}
LOOKED_FOR = tuple(_ALWAYS | _WHEN_REFUSED)


def _compiled(lists: dict[str, tuple[str, ...]]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name.replace(' ', '_')}>{'|'.join(each)})" for name, each in lists.items()))


_ALWAYS_PATTERN = _compiled(_ALWAYS)
_WHEN_REFUSED_PATTERN = _compiled(_WHEN_REFUSED)


class Probe(NamedTuple):
    """What a path looks for, and whether only a 4xx answer makes it a probe."""

    looked_for: str
    only_when_refused: bool


@lru_cache(maxsize=16_384)
def probed(path: str) -> Probe | None:
    """What a canonical path looks for; None for one that nobody need be suspicious of."""
    for _ in range(DECODINGS):
        path = unquote(path, errors="backslashreplace")
    path = path[:512].lower()
    for pattern, when_refused in ((_ALWAYS_PATTERN, False), (_WHEN_REFUSED_PATTERN, True)):
        match = pattern.search(path)
        if match is not None and match.lastgroup is not None:
            return Probe(match.lastgroup.replace("_", " "), when_refused)
    return None
