"""Forms of article addresses, and what each source identifies: native id, canonical URL, language of the URL."""

from __future__ import annotations

Known = tuple[str, str, str | None]

GOV = "https://www.gov.kz/memleket/entities/mfa/press/news/details/1176886"
KT_IN_MFA = "https://www.kt.kz/rus/press-materialy/starshie_dolzhnostnye_litsa_-_1377987073.html"
QAZ = "https://qazmonitor.com/news/1392/kazakh-mfa-and-red-cross"
KT = "https://www.kt.kz/rus/press-materialy/volonterov_uchat_1377991204.html"


def list_forms(canonical: str) -> list[str]:
    """Return the forms in which people and feeds write an address."""
    host, path = canonical.removeprefix("https://").split("/", 1)
    return [
        *(canonical, f"{canonical}/", f"{canonical}#comments", f"{canonical}/#top", f" {canonical}\n"),
        *(
            f"http://{host}/{path}",
            f"HTTPS://{host.upper()}/{path}",
            f"https://{host}:443/{path}",
            f"http://{host}:80/{path}",
        ),
        *(f"{canonical}?utm_source=feed&utm_medium=rss", f"{canonical}?fbclid=x#top"),
        *(f"https://{host}//{path}", f"https://{host}./{path}", f"{canonical};jsessionid=0A1B"),
        canonical.replace("news", "%6eews").replace("press", "pres%73"),
    ]


ADDRESSES: dict[str, dict[str, Known | None]] = {
    "mfa": {
        **dict.fromkeys(list_forms(GOV), ("1176886", GOV, None)),
        **{f"{GOV}?lang={code}": ("1176886", f"{GOV}?lang={code}", code) for code in ("ru", "kk", "en")},
        f"{GOV}?lang=kz": ("1176886", f"{GOV}?lang=kk", "kk"),
        f"{GOV}?lang=RU&utm_source=x": ("1176886", f"{GOV}?lang=ru", "ru"),
        f"{GOV}?lang=zz": ("1176886", GOV, None),
        f"{GOV}?lang=": ("1176886", GOV, None),
        GOV.replace("www.", "m.") + "?lang=en": ("1176886", f"{GOV}?lang=en", "en"),
        GOV.replace("www.", "") + "?lang=en": ("1176886", f"{GOV}?lang=en", "en"),
        f"{GOV}/some-slug?lang=en": ("1176886", f"{GOV}?lang=en", "en"),
        **dict.fromkeys(list_forms(KT_IN_MFA), ("kt-1377987073", KT_IN_MFA, None)),
        KT_IN_MFA.replace("www.", ""): ("kt-1377987073", KT_IN_MFA, None),
        GOV.replace("/mfa/", "/mti/"): None,
        f"{GOV}abc": None,
        f"{GOV}000000": None,
        GOV.replace("1176886", ""): None,
        "https://www.gov.kz/memleket/entities/mfa/press/news/1?lang=ru": None,
        "https://www.gov.kz/graphql": None,
        "https://www.gov.kz/": None,
        GOV.replace("www.gov.kz", "www.gov.kz.example.org"): None,
        GOV.replace("www.gov.kz", "notgov.kz"): None,
        GOV.replace("https://", "ftp://"): None,
        GOV.replace("www.gov.kz", "www.gov.kz:8080"): None,
        f"https://example.org/?u={GOV}": None,
        KT_IN_MFA.replace("kt.kz", "kt.kz.example.org"): None,
        KT_IN_MFA.replace("1377987073", "137798707"): None,
        f"{KT_IN_MFA}.bak": None,
    },
    "qazmonitor": {
        **dict.fromkeys(list_forms(QAZ), ("1392", QAZ, None)),
        QAZ.replace("qazmonitor", "en.qazmonitor"): ("1392", QAZ, None),
        QAZ.replace("qazmonitor", "www.qazmonitor"): ("1392", QAZ, None),
        QAZ.replace("qazmonitor", "m.qazmonitor"): ("1392", QAZ, None),
        "https://en.qazmonitor.com/culture/717/x": ("717", "https://qazmonitor.com/culture/717/x", None),
        "https://qazmonitor.com/lifestyle/717/another-slug": (
            "717",
            "https://qazmonitor.com/lifestyle/717/another-slug",
            None,
        ),
        "https://qazmonitor.com/about-us/7/x": ("7", "https://qazmonitor.com/about-us/7/x", None),
        "https://qazmonitor.com/news/1392": ("1392", "https://qazmonitor.com/news/1392", None),
        "https://qazmonitor.com/news/1392/": ("1392", "https://qazmonitor.com/news/1392", None),
        "https://qazmonitor.com/news/1392abc/x": None,
        f"https://qazmonitor.com/news/{'1' * 13}/x": None,
        "https://qazmonitor.com/news": None,
        "https://qazmonitor.com/1392": None,
        "https://qazmonitor.com/terms": None,
        "https://qazmonitor.com/rss": None,
        "https://qazmonitor.com": None,
        "https://shop.qazmonitor.com/news/1392/x": None,
        "https://qazmonitor.com.example.org/news/1392/x": None,
        "https://notqazmonitor.com/news/1392/x": None,
        f"https://example.org/?u={QAZ}": None,
        "mailto:news@qazmonitor.com": None,
        "javascript:void(0)": None,
        "/news/1392/x": None,
    },
    "ktkz": {
        **dict.fromkeys(list_forms(KT), ("1377991204", KT, None)),
        KT.replace("www.", ""): ("1377991204", KT, None),
        KT.replace("www.", "m."): ("1377991204", KT, None),
        KT_IN_MFA: ("1377987073", KT_IN_MFA, None),
        **{KT.replace("/rus/", f"/{e}/"): ("1377991204", KT.replace("/rus/", f"/{e}/"), None) for e in ("eng", "kaz")},
        KT.replace("press-materialy", "state"): ("1377991204", KT.replace("press-materialy", "state"), None),
        KT.replace("/rus/", "/deu/"): None,
        KT.replace("_1377991204", "_137799120"): None,
        KT.replace("_1377991204", "1377991204"): None,
        f"{KT}x": None,
        "https://www.kt.kz/rus/press-materialy/": None,
        "https://www.kt.kz/rus/rss": None,
        "https://www.kt.kz/rus/all": None,
        KT.replace("www.kt.kz", "www.kt.kz.example.org"): None,
        KT.replace("www.kt.kz", "nokt.kz"): None,
        f"https://example.org/?u={KT}": None,
        "https://[broken/rus/x_1377991204.html": None,
        "https://www.kt.kz:x/rus/press/x_1377991204.html": None,
    },
}
