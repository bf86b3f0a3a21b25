"""Pages that are no text, each with the status it must end with: made after the shapes that real sites show.

Every page comes with the menus, banners and footers around it, for those are what makes rubbish look like a text.
"""

from __future__ import annotations

from ingest.status import Status

MENU = """<header><nav><ul><li><a href="/">Home</a></li><li><a href="/blog">Blog</a></li><li><a href="/docs">Docs</a>
</li><li><a href="/pricing">Pricing</a></li><li><a href="/about">About us</a></li></ul></nav></header>"""
FOOTER = """<footer><p>Copyright 2026 Example Inc. All rights reserved. <a href="/terms">Terms of service</a>
<a href="/privacy">Privacy policy</a> <a href="/cookies">Cookie settings</a></p></footer>"""
TEASERS = """<section><h2>Popular right now</h2>
<article><h3><a href="/a">Ten ways to speed up your data pipeline</a></h3><p>Your pipeline is slow, and it is not the
network. We look at what eats the minutes and how to win them back.</p></article>
<article><h3><a href="/b">What we learned from a year of on-call</a></h3><p>Twelve months, nine engineers, four hundred
pages at night. A look back at what helped and what did not.</p></article>
<article><h3><a href="/c">A short history of the message queue</a></h3><p>From mainframes to logs that are replayed:
why queues keep coming back in every generation of systems.</p></article></section>"""
OPENING = """<p>When we started to train our ranking model on a single machine, a run took eleven days. That was fine
for a while. Then the team grew, experiments queued up behind each other, and the wait became the slowest part of our
work. We looked at what other companies had done, read the papers, and tried three systems side by side.</p>
<p>The first surprise was that the network was not the bottleneck we had taken it for. Reading the input was.</p>"""


def page(title: str, body: str, head: str = "", menu: str = MENU, footer: str = FOOTER) -> str:
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>{head}</head>"
        f"<body>{menu}<main>{body}</main>{footer}</body></html>"
    )


JSON_LD = '<script type="application/ld+json">{}</script>'
DEAD, FAILED, REJECTED, WALLED, OUTLINE = (
    Status.DEAD,
    Status.FAILED,
    Status.REJECTED,
    Status.WALLED,
    Status.OUTLINE,
)

PAGES: dict[str, tuple[Status, str]] = {
    # --- not there, though the server says 200 ----------------------------------------------------
    "soft 404": (
        DEAD,
        page("Page not found", "<h1>404</h1><p>Sorry, the page you are looking for could not be found.</p>"),
    ),
    "soft 404 with teasers": (
        DEAD,
        page(
            "Page not found | Example Engineering",
            "<h1>Oops! That page can’t be found.</h1><p>It looks like nothing was found at this location. Maybe try one"
            f" of the links below or a search?</p>{TEASERS}",
        ),
    ),
    "moved without a trace": (
        DEAD,
        page(
            "Example",
            "<h1>We can't find that page</h1><p>The link may be broken, or the page may have been removed.</p>",
        ),
    ),
    "deleted post": (
        DEAD,
        page(
            "Medium",
            "<h1>PAGE NOT FOUND</h1><h2>404</h2><p>Out of nothing, something. You can find (just about) anything on"
            " our site, apparently even a page that doesn’t exist. Maybe these stories will take you somewhere new?</p>"
            f"{TEASERS}",
        ),
    ),
    "parked domain": (
        DEAD,
        page(
            "example-ml.io",
            "<h1>example-ml.io</h1><p>This domain may be for sale. Buy this domain. The owner of this page has parked it"
            " with a provider. Related searches: machine learning course, data science degree, cloud hosting.</p>",
            menu="",
            footer="",
        ),
    ),
    # --- it may work another time -----------------------------------------------------------------
    "too many requests": (
        FAILED,
        page(
            "429 Too Many Requests",
            "<h1>Too Many Requests</h1><p>You have sent too many requests. Try again later.</p>",
        ),
    ),
    "unusual traffic": (
        FAILED,
        page(
            "Sorry...",
            "<p>Our systems have detected unusual traffic from your computer network. This page checks to see if it's"
            " really you sending the requests, and not a robot. Why did this happen? This page appears when requests"
            " come from your network that seem to violate the terms of service.</p>",
            menu="",
        ),
    ),
    "bad gateway": (
        FAILED,
        page(
            "example.org | 502: Bad gateway",
            "<h1>Bad gateway</h1><p>Error code 502. You: Browser, Working. Zurich: Cloudflare, Working. example.org:"
            " Host, Error. What happened? The web server reported a bad gateway error. What can I do? Please try again"
            " in a few minutes.</p>",
            menu="",
        ),
    ),
    "maintenance": (
        FAILED,
        page(
            "Be right back",
            "<h1>We'll be back soon!</h1><p>Sorry for the inconvenience. We are performing some scheduled maintenance at"
            " the moment. We will be back online shortly.</p>",
            menu="",
        ),
    ),
    "database error": (
        FAILED,
        page("Database Error", "<h1>Error establishing a database connection</h1>", menu="", footer=""),
    ),
    "stack trace": (
        FAILED,
        page(
            "Whitelabel Error Page",
            "<h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error, so you are seeing this"
            " as a fallback.</p><p>There was an unexpected error (type=Internal Server Error, status=500).</p>",
            menu="",
            footer="",
        ),
    ),
    # --- robot checks -----------------------------------------------------------------------------
    "just a moment": (
        REJECTED,
        page(
            "Just a moment...",
            "<h1>example.org</h1><h2>Verifying you are human. This may take a few seconds.</h2><p>example.org needs to"
            " review the security of your connection before proceeding.</p><noscript>Enable JavaScript and cookies to"
            " continue</noscript><p>Ray ID: 8f3b21aa9c</p><p>Performance and security by Cloudflare</p>",
            menu="",
            footer="",
        ),
    ),
    "pardon our interruption": (
        REJECTED,
        page(
            "Pardon Our Interruption",
            "<h1>Pardon Our Interruption</h1><p>As you were browsing something about your browser made us think you were"
            " a bot. There are a few reasons this might happen: You've disabled JavaScript in your web browser. You're a"
            " power user moving through this website with super-human speed. To regain access, please make sure that"
            " cookies and JavaScript are enabled before reloading the page.</p>",
        ),
    ),
    "press and hold": (
        REJECTED,
        page(
            "Access to this page has been denied",
            "<h1>Before we continue...</h1><p>Press &amp; Hold to confirm you are a human (and not a bot).</p><p>Reference"
            " ID 3e1f-77aa</p>",
            menu="",
        ),
    ),
    "captcha": (
        REJECTED,
        page(
            "Robot Check",
            "<h4>Enter the characters you see below</h4><p>Sorry, we just need to make sure you're not a robot. For best"
            " results, please make sure your browser is accepting cookies.</p><form>Type the characters you see in this"
            " image: <input></form>",
        ),
    ),
    # --- consent, cookies -------------------------------------------------------------------------
    "consent": (
        REJECTED,
        page(
            "Before you continue to the video site",
            "<h1>Before you continue</h1><p>We use cookies and data to deliver and maintain our services, track outages"
            " and protect against spam, measure audience engagement and site statistics. If you choose to accept all,"
            " we will also use cookies and data to develop and improve new services, deliver and measure the"
            " effectiveness of ads, and show personalised content, depending on your settings.</p><button>Reject all"
            "</button><button>Accept all</button>",
            menu="",
        ),
    ),
    "partners": (
        REJECTED,
        page(
            "Example News",
            "<h2>We value your privacy</h2><p>We and our 842 partners store and/or access information on a device, such as"
            " cookies and process personal data, such as unique identifiers and standard information sent by a device"
            " for personalised ads and content, ad and content measurement, and audience insights, as well as to"
            " develop and improve products. With your permission we and our partners may use precise geolocation data"
            " and identification through device scanning.</p>",
        ),
    ),
    "cookie policy in place of the text": (
        REJECTED,
        page(
            "Designing a feature store",
            "<h2>Cookie preferences</h2><p>We use essential cookies and similar tools that are necessary to provide our"
            " site and services. We use performance cookies to collect anonymous statistics so we can understand how"
            " customers use our site and make improvements. Essential cookies cannot be deactivated, but you can click"
            " Customize or Decline to decline performance cookies.</p><p>If you agree, we and approved third parties"
            " will also use cookies to provide useful site features, remember your preferences, and display relevant"
            " content, including relevant advertising. To accept or decline all non-essential cookies, click Accept or"
            " Decline. To make more detailed choices, click Customize.</p>",
        ),
    ),
    # --- logins and payments ----------------------------------------------------------------------
    "login": (
        WALLED,
        page(
            "Log in",
            "<h1>Welcome back</h1><p>Please log in to continue.</p><form><label>Email</label><input><label>Password</label>"
            "<input></form><p><a href='/forgot'>Forgot your password?</a> New here? <a href='/join'>Create an account</a>"
            "</p>",
        ),
    ),
    "authwall": (
        WALLED,
        page(
            "Sign Up | Example Network",
            "<h1>Join now to see what you are missing</h1><p>Join now: find people you know, view this profile and see"
            " who else works there. Already on the network? <a href='/login'>Sign in</a></p><p>By clicking Agree &amp;"
            " Join, you agree to the user agreement, privacy policy and cookie policy.</p>",
        ),
    ),
    "login in a foreign frame": (
        WALLED,
        page(
            "Google Docs",
            "<h1>You need access</h1><p>Request access, or switch to an account with access. You are not signed in.</p>",
            menu="",
            footer="",
        ),
    ),
    "metered article": (
        WALLED,
        page(
            "How we cut our training time",
            f"<h1>How we cut our training time</h1><p>Member-only story</p>{OPENING}<h2>Create an account to read the full"
            " story.</h2><p>The author made this story available to members only. If you’re new here, create a new"
            " account to read this story on us.</p>",
        ),
    ),
    "subscribers only": (
        WALLED,
        page(
            "How we cut our training time",
            f"<h1>How we cut our training time</h1>{OPENING}<h3>This post is for paid subscribers</h3><p>Subscribe to"
            " Example Letters to keep reading this post and get 7 days of free access to the full post archives.</p>",
        ),
    ),
    "not accessible for free": (
        WALLED,
        page(
            "How we cut our training time",
            f"<h1>How we cut our training time</h1>{OPENING}",
            head=JSON_LD.format(
                '{"@context":"https://schema.org","@type":"NewsArticle","headline":"x","isAccessibleForFree":false,'
                '"hasPart":{"@type":"WebPageElement","isAccessibleForFree":"False","cssSelector":".paywall"}}'
            ),
        ),
    ),
    "not accessible for free, as text": (
        WALLED,
        page(
            "How we cut our training time",
            f"<h1>How we cut our training time</h1>{OPENING}",
            head=JSON_LD.format('{"@type": "Article", "isAccessibleForFree" : "False"}'),
        ),
    ),
    "course page": (
        WALLED,
        page(
            "Grokking rings",
            "<h1>Grokking rings</h1><p>14 lessons, 3 hours. Start your free trial to unlock this lesson and 800 more"
            " courses. Already have an account? Log in.</p>",
        ),
    ),
    "access denied": (
        WALLED,
        page(
            "Access Denied",
            "<h1>Access Denied</h1><p>You don't have permission to access this server. Reference #18.2d3c1702</p>",
            menu="",
            footer="",
        ),
    ),
    "not in your country": (
        WALLED,
        page(
            "Unavailable",
            "<h1>Unavailable for legal reasons</h1><p>We recognise you are attempting to access this website from a"
            " country where, for legal reasons, this content is not available in your region at this time.</p>",
        ),
    ),
    # --- shells -----------------------------------------------------------------------------------
    "javascript shell": (
        REJECTED,
        "<!doctype html><html><head><title>Workshop Studio</title></head><body><noscript>You need to enable JavaScript"
        " to run this app.</noscript><div id='root'></div><script src='/main.js'></script></body></html>",
    ),
    "javascript shell with a loading line": (
        REJECTED,
        "<!doctype html><html><head><title>Docs</title></head><body><div id='__next'><p>Loading...</p></div>"
        "<script src='/_next/static/chunks/main.js'></script></body></html>",
    ),
    "browser too old": (
        REJECTED,
        page(
            "Unsupported browser",
            "<h1>Your browser is not supported</h1><p>Please update your browser to the latest version to view this"
            " page. We recommend Chrome, Firefox, Edge or Safari.</p>",
        ),
    ),
    "ad blocker": (
        REJECTED,
        page(
            "Example Tutorials",
            "<h2>Please disable your ad blocker</h2><p>We noticed that you are using an ad blocker. Our tutorials are"
            " free because of ads. Disable it for this site and reload the page to go on.</p>",
        ),
    ),
    "redirecting": (
        REJECTED,
        page(
            "Redirecting…",
            "<p>Redirecting you to the new site. If you are not redirected automatically, follow this link.</p>",
            menu="",
            footer="",
        ),
    ),
    "default server page": (
        REJECTED,
        page(
            "Welcome to nginx!",
            "<h1>Welcome to nginx!</h1><p>If you see this page, the nginx web server is successfully installed and"
            " working. Further configuration is required.</p><p>Thank you for using nginx.</p>",
            menu="",
            footer="",
        ),
    ),
    # --- ways to read on --------------------------------------------------------------------------
    "list of posts": (
        OUTLINE,
        page(
            "Archive",
            "<h1>Archive</h1><ul>"
            + "".join(
                f"<li><a href='/post/{n}'>A post about subject number {n}</a> May {n}, 2025</li>" for n in range(1, 29)
            )
            + "</ul>",
        ),
    ),
    "table of contents": (
        OUTLINE,
        page(
            "Machine learning interviews: contents",
            "<h1>Contents</h1><ol>"
            + "".join(f"<li><a href='/part/{n}'>Part {n}: things to know</a></li>" for n in range(1, 20))
            + "</ol>",
        ),
    ),
    "directory listing": (
        OUTLINE,
        "<html><head><title>Index of /papers</title></head><body><h1>Index of /papers</h1><pre><a href='../'>../</a>\n"
        + "\n".join(f"<a href='p{n}.pdf'>p{n}.pdf</a>      12-May-2025 10:1{n}    {n}34K" for n in range(9))
        + "</pre></body></html>",
    ),
}
