"""Article pages of sites that do not exist, shaped as real ones: WordPress, Bitrix, a ministry, tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UnknownSitePage:
    """A page with what a reader sees in it."""

    html: str
    url: str
    title: str
    paragraphs: tuple[str, ...]
    published_at: str
    language: str


OTHER_NEWS = {
    "en": ("Dam repairs end early", "Students win a chess prize", "Road closed after a landslide"),
    "ru": ("Ремонт плотины закончился раньше срока", "Школьники выиграли турнир", "Дорога закрыта после оползня"),
    "kk": ("Бөгетті жөндеу ерте аяқталды", "Оқушылар турнирде жеңді", "Көшкіннен кейін жол жабылды"),
    "ky": ("Тосмону оңдоо эрте бүттү", "Окуучулар мелдеште жеңди", "Көчкүдөн кийин жол жабылды"),
    "uz": ("To‘g‘on ta’miri erta tugadi", "O‘quvchilar turnirda g‘olib bo‘ldi", "Ko‘chkidan keyin yo‘l yopildi"),
    "tg": ("Таъмири сарбанд барвақт анҷом ёфт", "Хонандагон дар мусобиқа ғолиб шуданд", "Роҳ пас аз ярч баста шуд"),
}


VILLAGES = "Alder Birch Cedar Dogwood Elm Fir Gorse Hazel Ivy Juniper Larch Maple".split()


def make_wordpress_page(number: int = 0) -> UnknownSitePage:
    title = f"Clinic of {VILLAGES[number % len(VILLAGES)]} receives winter supplies"
    paragraphs = (
        f"Volunteers brought {40 + number} boxes of medicine to the clinics of the upper valley on "
        "Tuesday, the regional "
        "health office said.",
        f"The road had been closed for {number + 2} days. Two trucks followed the snow plough and "
        "reached the villages by noon, and the drivers returned the same evening.",
        f"“We had bandages for {3 + number} more days,” said the head nurse, who has worked there since "
        "the clinic opened. "
        "The next delivery is planned for the end of the month.",
    )
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    others = "".join(f'<li><a href="/{n}/">{each}</a> <span>May {n}, 2026</span></li>' for n, each in _number("en"))
    html = f"""<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>{title} - Valley Herald</title>
    <meta property="og:site_name" content="Valley Herald"><meta property="og:title" content="{title}">
    <script type="application/ld+json">{{"@context": "https://schema.org", "@graph": [{{"@type": "WebSite",
    "name": "Valley Herald"}}, {{"@type": "NewsArticle", "headline": "{title}", "author": {{"@type": "Person",
    "name": "Ann Miller"}}, "datePublished": "2026-0{number % 9 + 1}-21T23:30:00+06:00"}}]}}</script></head><body>
    <header class="site-header"><nav><ul><li><a href="/">Home</a></li><li><a href="/news/">News</a></li></ul></nav>
    </header>
    <main><article class="post-{1200 + number} post type-post"><h1 class="entry-title">{title}</h1>
    <div class="entry-meta">By <a rel="author" href="/a/">Ann Miller</a>, <time>21 January</time></div>
    <div class="entry-content">{text}</div><div class="sharedaddy"><a href="#">Share</a> <a href="#">Tweet</a></div>
    </article></main><aside class="sidebar"><h2>Latest stories</h2><ul>{others}</ul></aside>
    <footer><p>© 2026 Valley Herald. All rights reserved. The Herald is read in every village.</p></footer>
    </body></html>"""
    date = f"2026-0{number % 9 + 1}-21T23:30:00+06:00"
    return UnknownSitePage(
        html, f"https://herald.example/{title.lower().replace(' ', '-')}/{number}", title, paragraphs, date, "en"
    )


def make_bitrix_page() -> UnknownSitePage:
    title = "В предгорьях открыли три пункта обогрева"
    paragraphs = (
        "В предгорных районах открылись три пункта обогрева, сообщили в областном управлении по "
        "чрезвычайным ситуациям.",
        "По словам начальника управления, в каждом пункте есть запас топлива на две недели, горячая еда и связь. "
        "Дежурят спасатели и медики, которые сменяются каждые двенадцать часов.",
        "За прошлую зиму такими пунктами воспользовались больше шестисот человек, в основном водители на перевале.",
    )
    return _make_table_page(title, paragraphs, "14 октября 2026, 09:45", "2026-10-14T09:45:00", "ru", "Предгорье.Инфо")


def make_ministry_page() -> UnknownSitePage:
    title = "Министр көрші елдің елшісін қабылдады"
    paragraphs = (
        "Бүгін министр көрші елдің елшісін қабылдап, екі ел арасындағы су және көлік мәселелерін талқылады.",
        "Кездесуде тараптар шекарадағы өткізу бекеттерінің жұмысын жақсарту және жүк тасымалын арттыру туралы келісті.",
        "Министр бірлескен комиссияның келесі отырысы келер жылы көктемде өтетінін айтты.",
    )
    return _make_table_page(title, paragraphs, "2026 жылғы 21 қараша", "2026-11-21", "kk", "Министрлік")


def make_kyrgyz_page() -> UnknownSitePage:
    title = "Айылдагы мектепке жаңы китепкана курулду"
    paragraphs = (
        "Өрөөндөгү айылдын мектебинде жаңы китепкана курулду жана окуучулар үчүн бүгүн ачылды.",
        "Мектептин мугалими болгон жазуучу балдар менен жолугуп, өзүнүн китептеринен үзүндү окуп берди.",
        "Курулушка айыл тургундары жана чет өлкөдө иштеген мекендештер жардам көрсөттү деп билдирди айыл башчысы.",
    )
    return _make_table_page(title, paragraphs, "2026-жылдын 3-ноябры", "2026-11-03", "ky", "Өрөөн кабары")


def make_uzbek_page() -> UnknownSitePage:
    title = "Tumanda yangi shifoxona binosi ochildi"
    paragraphs = (
        "Tog‘li tumanda yangi shifoxona binosi foydalanishga topshirildi va bugun birinchi bemorlarni qabul qildi.",
        "Bosh shifokor bu bino yuz yigirma o‘ringa ega ekanini va unda bolalar uchun alohida bo‘lim "
        "borligini ma’lum qildi.",
        "Qurilish ikki yil davom etdi, loyiha mahalliy quruvchilar tomonidan amalga oshirildi.",
    )
    return _make_table_page(title, paragraphs, "2026-yil 5-dekabr", "2026-12-05", "uz", "Tog‘ ovozi")


def make_tajik_page() -> UnknownSitePage:
    title = "Дар ноҳия пули нав ба истифода дода шуд"
    paragraphs = (
        "Дар ноҳияи кӯҳӣ пули нав ба истифода дода шуд, ки ду деҳаро бо роҳи асосӣ мепайвандад.",
        "Раиси ноҳия гуфт, ки дарозии пул шаст метр буда, он барои мошинҳои боркаш низ пешбинӣ шудааст.",
        "Сокинон дар сохтмон фаъолона ширкат намуданд ва корҳо пеш аз мӯҳлат анҷом ёфтанд.",
    )
    return _make_table_page(title, paragraphs, "7 декабри соли 2026", "2026-12-07", "tg", "Кӯҳистон")


def _make_table_page(
    title: str, paragraphs: tuple[str, ...], written: str, published_at: str, language: str, site: str
) -> UnknownSitePage:
    """A page without metadata: a heading, a line with the date, line breaks for paragraphs, lists of other news."""
    others = "".join(
        f'<div class="news-item"><span class="news-date">{n:02d}.03.2025</span> <a href="/news/{n}/">{each}</a></div>'
        for n, each in _number(language)
    )
    text = "<br><br>".join(paragraphs)
    html = f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">
    <title>{title} | {site}</title></head><body><div class="top-menu"><a href="/">1</a> <a href="/about/">2</a></div>
    <table><tr><td class="left">{others}</td><td class="center"><div class="news-detail"><h1>{title}</h1>
    <div class="news-date-time">{written}</div><div class="detail_text">{text}</div></div></td></tr></table>
    <div class="bottom">© 2001–2026 {site}</div></body></html>"""
    return UnknownSitePage(html, "https://site.example/news/4711/", title, paragraphs, published_at, language)


def _number(language: str) -> list[tuple[int, str]]:
    return list(enumerate(OTHER_NEWS[language], start=11))


PAGES = (
    make_wordpress_page(),
    make_bitrix_page(),
    make_ministry_page(),
    make_kyrgyz_page(),
    make_uzbek_page(),
    make_tajik_page(),
)
