"""Who we are for certificate authorities: one sealed key for each directory."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.certificates.models import AuthorityAccountRow
from portal.database import db
from portal.tls import AuthorityAccount
from portal.tls.authority import key_text, new_key
from portal.vault import current_sealer

Row = AuthorityAccountRow


class StoredAuthorityAccounts:
    """In the database, in short transactions of their own: whoever comes first makes the key.

    To be used where no transaction of the thread is open, as between a job's reading and writing.
    """

    def account(self, directory: str) -> AuthorityAccount:
        """The account, its key made if there is none."""
        found = self._find(directory)
        if found is None:
            sealed = current_sealer().seal(key_text(new_key()), belongs_to=_belongs_to(directory))
            try:
                with Session(db.engine) as session, session.begin():
                    session.add(Row(directory=directory, sealed_key=sealed, uri=""))
            except IntegrityError:  # another was quicker: his counts
                pass
            found = self._find(directory)
        assert found is not None  # noqa: S101 - stored above, by us or by another
        key = current_sealer().open(found.sealed_key, belongs_to=_belongs_to(directory))
        return AuthorityAccount(key, found.uri)

    def keep_uri(self, directory: str, uri: str) -> None:
        """Remember what the authority calls us."""
        with Session(db.engine) as session, session.begin():
            session.execute(update(Row).where(Row.directory == directory).values(uri=uri))

    def forget(self, directory: str, uri: str) -> None:
        """Drop the account that the authority does not know, unless another is there already."""
        with Session(db.engine) as session, session.begin():
            session.execute(delete(Row).where(Row.directory == directory, Row.uri == uri))

    def _find(self, directory: str) -> AuthorityAccountRow | None:
        with Session(db.engine) as session:
            return session.scalar(select(Row).where(Row.directory == directory))


def _belongs_to(directory: str) -> str:
    return f"authority-account/{directory}"
