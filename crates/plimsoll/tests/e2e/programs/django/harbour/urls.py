from django.urls import path

from ships import views

urlpatterns = [path("ships/", views.one_by_one), path("joined/", views.joined)]
