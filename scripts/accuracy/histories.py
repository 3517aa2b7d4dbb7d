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
        "django_otp.plugins.otp_email django_otp.plugins.otp_hotp post_office django_q easy_thumbnails reversion taggit organizations",
        "waffle silk axes otp_totp otp_static otp_email otp_hotp post_office django_q easy_thumbnails reversion "
        "taggit organizations",
    ),
}


def alembic(environment_file, scripts, **more):
    """An Alembic history: the folder of its env.py, behind the name of a package."""
    return {"tool": "alembic", "environment_file": environment_file, "scripts": scripts, **more}


MLFLOW_TABLES = """
from mlflow.store.tracking.dbmodels.initial_models import Base
from sqlalchemy import create_engine
Base.metadata.create_all(create_engine(url))
"""

HISTORIES |= {
    "mlflow": alembic("mlflow", "mlflow/store/db_migrations", before=MLFLOW_TABLES),
    "airflow": alembic("airflow", "airflow/migrations", environment={
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "{url}",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    }),
}

OSCAR_APPS = ("analytics checkout address shipping catalogue catalogue.reviews communication partner basket payment offer "
              "order customer search voucher wishlists").split()
OSCAR_DASHBOARD = ("reports users orders catalogue offers partners pages ranges reviews vouchers communications "
                   "shipping").split()
OSCAR = " ".join(["oscar.config.Shop", *[
    f"oscar.apps.{name}.apps.{name.replace('.', ' ').title().replace(' ', '')}Config" for name in OSCAR_APPS
], "oscar.apps.dashboard.apps.DashboardConfig", *(
    f"oscar.apps.dashboard.{name}.apps.{name.title()}DashboardConfig" for name in OSCAR_DASHBOARD
)]) + " haystack treebeard sorl.thumbnail django_tables2 django.contrib.flatpages"
HISTORIES["django-oscar"] = django(
    OSCAR, "analytics address shipping catalogue reviews communication partner basket payment offer order customer voucher "
    "wishlists", environment="oscar",
    HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
)
HISTORIES["django-oscar"]["defaults"] = "oscar.defaults"
HISTORIES["netbox"] = {
    # Its collations need a server that knows ICU.
    "major": 15,
    "tool": "django", "environment_file": "netbox", "module": "netbox.settings",
    "environment": {"NETBOX_CONFIGURATION": "netbox.configuration_testing"},
    "apps": "account circuits core dcim extras ipam tenancy users virtualization vpn wireless".split(),
}
HISTORIES["pulpcore"] = {
    "tool": "django", "environment_file": "pulpcore", "module": "pulpcore.app.settings",
    "environment": {"PULP_CONTENT_ORIGIN": "http://localhost", "PULP_SECRET_KEY": "accuracy",
                    "PULP_DB_ENCRYPTION_KEY": "pulpcore.key"},
    "files": {"pulpcore.key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="},
    "apps": "core certguard file".split(),
}
HISTORIES["pretalx"] = {
    "tool": "django", "environment_file": "pretalx", "module": "pretalx.settings",
    "apps": "agenda cfp common event mail orga person schedule submission".split(),
}
HISTORIES["pretix"] = {
    "tool": "django", "environment_file": "pretix", "module": "pretix.settings",
    "apps": "pretixapi pretixbase pretixhelpers pretixmultidomain badges banktransfer paypal sendmail stripe "
            "ticketoutputpdf autocheckin returnurl webcheckin".split(),
}
HISTORIES["label-studio"] = {
    "tool": "django", "environment_file": "labelstudio", "path": "label_studio",
    "module": "core.settings.label_studio",
    "apps": "core data_export data_import data_manager fsm io_storages labels_manager ml ml_models ml_model_providers "
            "organizations projects session_policy tasks users webhooks jwt_auth".split(),
}
