"""SQLAlchemy 2 over three drivers."""

import asyncio
import os

from sqlalchemy import ForeignKey, create_engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

URL = {"host": os.environ["PGHOST"], "port": os.environ["PGPORT"], "user": os.environ["PGUSER"]}
QUERY = "&".join(f"{name}={value}" for name, value in URL.items())


def models(schema):
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "authors"
        __table_args__ = {"schema": schema}
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(unique=True)
        books: Mapped[list["Book"]] = relationship(back_populates="author")

    class Book(Base):
        __tablename__ = "books"
        __table_args__ = {"schema": schema}
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]
        author_id: Mapped[int] = mapped_column(ForeignKey(f"{schema}.authors.id"))
        author: Mapped[Author] = relationship(back_populates="books")

    return Base, Author, Book


for driver in ("psycopg", "psycopg2"):
    schema = f"sa_{driver}"
    engine = create_engine(f"postgresql+{driver}:///{os.environ['PGDATABASE']}?{QUERY}")
    Base, Author, Book = models(schema)
    with engine.begin() as connection:
        connection.execute(text(f"create schema {schema}"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Author(name=f"a{at}", books=[Book(title=f"b{n}") for n in range(3)]) for at in range(12)])
        session.commit()
        try:
            session.add(Author(name="a1"))
            session.commit()
        except IntegrityError as error:
            session.rollback()
            print(type(error.orig).__name__)
        print([len(author.books) for author in session.scalars(select(Author).order_by(Author.id))])
        eager = select(Author).options(selectinload(Author.books)).order_by(Author.id)
        print([[book.title for book in author.books] for author in session.scalars(eager)])
        print(session.scalar(select(func.count()).select_from(Book)))
        with session.begin_nested():
            session.add(Author(name="nested"))
        session.rollback()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create index concurrently on {schema}.books (title)"))
    with engine.connect().execution_options(yield_per=5) as connection:
        print(sum(1 for _ in connection.execute(select(Book.id))))
    engine.dispose()


async def asynchronous():
    # The socket's folder or a host, both by a parameter of the URL.
    url = f"postgresql+asyncpg://{URL['user']}:{os.environ.get('PGPASSWORD', '')}@/{os.environ['PGDATABASE']}"
    engine = create_async_engine(f"{url}?host={URL['host']}&port={URL['port']}")
    Base, Author, Book = models("sa_asyncpg")
    async with engine.begin() as connection:
        await connection.execute(text("create schema sa_asyncpg"))
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(Author.__table__.insert(), [{"name": f"a{at}"} for at in range(5)])
        result = await connection.stream(select(Author.name).order_by(Author.id))
        print([row.name async for row in result])
    await engine.dispose()


asyncio.run(asynchronous())
