"""The histories: which tool writes each, in which environment, and whose migrations count."""

CONTRIB = [f"django.contrib.{name}" for name in
           ("admin", "auth", "contenttypes", "messages", "sessions", "sites", "staticfiles", "humanize")]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]


def django(installed, labels, environment="django", **settings):
    """Django apps: what is installed beside Django's own, and the labels of those whose migrations count."""
    squashed = settings.pop("squashed", False)
    settings = {
        "INSTALLED_APPS": CONTRIB + installed.split(),
        "DEFAULT_AUTO_FIELD": "django.db.models.AutoField",
        "ROOT_URLCONF": "django.contrib.auth.urls",
        "SITE_ID": 1,
        "STATIC_URL": "/static/",
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        "USE_TZ": True,
        "TEMPLATES": TEMPLATES,
        "SILENCED_SYSTEM_CHECKS": [],
        **settings,
    }
    return {"tool": "django", "environment_file": environment, "settings": settings, "apps": labels.split(),
            "squashed": squashed}


WAGTAIL = "wagtail wagtail.admin wagtail.contrib.forms wagtail.contrib.redirects wagtail.contrib.search_promotions " \
          "wagtail.documents wagtail.embeds wagtail.images wagtail.search wagtail.users modelcluster taggit"

HISTORIES = {
    "django": django("", "admin auth contenttypes sessions sites redirects flatpages"),
    "wagtail": django(WAGTAIL, "wagtailcore wagtailadmin wagtailforms wagtailredirects wagtailsearchpromotions "
                      "wagtaildocs wagtailembeds wagtailimages wagtailsearch wagtailusers",
                      WAGTAIL_SITE_NAME="accuracy", WAGTAILADMIN_BASE_URL="http://localhost"),
    "django-cms": django("cms menus treebeard sekizai", "cms", LANGUAGE_CODE="en", LANGUAGES=[("en", "English")],
                         CMS_CONFIRM_VERSION4=True),
    "django-filer": django("easy_thumbnails mptt filer", "filer"),
    "django-allauth": django("allauth allauth.account allauth.socialaccount allauth.mfa allauth.usersessions",
                             "account socialaccount mfa usersessions"),
    "django-oauth-toolkit": django("oauth2_provider", "oauth2_provider"),
    "django-celery": django("django_celery_beat django_celery_results", "django_celery_beat django_celery_results"),
    "django-activity-stream": django("actstream", "actstream"),
    "django-guardian": django("guardian", "guardian"),
    "django-helpdesk": django("markdown_helpdesk bootstrap4form rest_framework account helpdesk", "helpdesk"),
    "django-machina": django(
        "mptt haystack widget_tweaks machina machina.apps.forum machina.apps.forum_conversation "
        "machina.apps.forum_conversation.forum_attachments machina.apps.forum_conversation.forum_polls "
        "machina.apps.forum_feeds machina.apps.forum_moderation machina.apps.forum_search machina.apps.forum_tracking "
        "machina.apps.forum_member machina.apps.forum_permission",
        "forum forum_conversation forum_attachments forum_polls forum_tracking forum_member forum_permission",
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        CACHES={name: {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
                for name in ("default", "machina_attachments")},
    ),
    "django-small": django(
        "waffle silk axes django_otp django_otp.plugins.otp_totp django_otp.plugins.otp_static "
        "django_otp.plugins.otp_email django_otp.plugins.otp_hotp post_office django_q easy_thumbnails reversion taggit organizations "
        "notifications",
        "waffle silk axes otp_totp otp_static otp_email otp_hotp post_office django_q easy_thumbnails reversion "
        "taggit organizations notifications",
    ),
    "hyperkitty": django("django_mailman3 hyperkitty django_q haystack rest_framework compressor allauth "
                         "allauth.account allauth.socialaccount django_gravatar", "hyperkitty django_mailman3",
                         HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
                         MAILMAN_ARCHIVER_KEY="x", MAILMAN_ARCHIVER_FROM=[]),
}
