"""GraphQL: GitHub's schema, with resolvers for what digestbot asks."""
