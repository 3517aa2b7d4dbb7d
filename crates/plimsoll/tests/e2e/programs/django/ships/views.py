from django.http import JsonResponse

from ships.models import Ship


def one_by_one(request):
    return JsonResponse({ship.name: ship.harbour.name for ship in Ship.objects.order_by("id")})


def joined(request):
    return JsonResponse({ship.name: ship.harbour.name for ship in Ship.objects.select_related("harbour")})
