"""The newsroom in a browser (`crawler serve`): HTML pages over the store, without JavaScript.

server         listen until a signal; refuse to let others in without users
application    routes with the role that each needs, and which thread answers
access         who sends a request, and which role each route needs
passwords      passwords and other secrets: made, hashed, checked
oidc           sign-in with an organisation's accounts
error_pages    the pages about errors
security       headers of every answer, the Host that is accepted, the size of a request
forms          the values of a form, and the proof that a page of this server sent it
newsroom       what all pages share: configuration, store, sources, rules, the state of the sources
review_drafts  press reviews that users compose, kept in memory for some hours
surveys        looks at sites that users have asked for, in child processes
rendering      a template filled for one reader: language, times, texts with marks
charts         bars as SVG
translations   the interface's languages and their catalogues in `locale/`
words          the interface's words for values of the program
errors         errors that a page reports to its reader
pages          one module a page
api            the API under `/api/v1`
feeds          feeds for readers' programs
answer_cache   answers of the last second
answer_threads  the threads in which answers are made
renewed_values  what is on every page, read anew beside the answers
conditional    answers that the client has already
probes         `/healthz`, `/readyz` and `/metrics`
demo           the stored sample pages in a throw-away store
"""
