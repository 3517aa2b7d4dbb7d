from django.test import TestCase

# The migrations leave 1,000 ships, each in a harbour of its own.


class Pages(TestCase):
    def test_one_by_one(self):
        self.assertEqual(len(self.client.get("/ships/").json()), 1000)

    def test_joined(self):
        self.assertEqual(len(self.client.get("/joined/").json()), 1000)
