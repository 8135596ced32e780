"""The account's things as JSON for programs: the same documents as manifests, the same verbs."""
