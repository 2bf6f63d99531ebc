// Accounts, for admins: list, make, change the role, disable, and a new link for who forgot the password.
import {
  CreateUserRequest,
  listOf,
  NamedListQuery,
  PatchUserRequest,
  Role,
  User,
  UserWithLink,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { actorOf } from "../auth/people.ts";
import type { Hub } from "../hub.ts";
import {
  changeUser,
  createUser,
  findUser,
  makePasswordLink,
  resetUser,
  setupUrl,
  userView,
} from "../operations/accounts.ts";
import type { UserRecord } from "../store/people-schema.ts";
import { isPartOf } from "./listing.ts";
import { type Order, sortedPage } from "./sorted-page.ts";

const BY_NAME: Order<UserRecord> = {
  name: "users",
  keyOf: ({ name }) => name,
  idOf: ({ id }) => id,
  descending: false,
};

export function addUserRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { changes, config, people, store } = hub;
  const params = z.object({ id: z.string() });

  routes.get(
    "/api/v1/users",
    { schema: { querystring: NamedListQuery.extend({ role: Role.optional() }), response: { 200: listOf(User) } } },
    async ({ query }) => {
      const wanted = (await store.users.list()).filter(
        ({ name, role }) => isPartOf(query.q, name) && (query.role === undefined || role === query.role),
      );
      const page = sortedPage(wanted, BY_NAME, query);
      return { ...page, items: page.items.map(userView) };
    },
  );

  routes.post(
    "/api/v1/users",
    { schema: { body: CreateUserRequest, response: { 201: UserWithLink } } },
    async (request, reply) => {
      const { name, role, password } = request.body;
      const password_hash = password === undefined ? null : await people.passwords.hash(password);
      const made = await changes.make(actorOf(request), async (change) => {
        const user = await createUser(change, { name, role, password_hash });
        return { user, secret: password === undefined ? await makePasswordLink(change, user) : null };
      });
      const setup_link = made.secret === null ? null : setupUrl(config, made.secret);
      return reply.code(201).send({ user: userView(made.user), setup_link });
    },
  );

  routes.patch(
    "/api/v1/users/:id",
    { schema: { params, body: PatchUserRequest, response: { 200: User } } },
    async (request) =>
      changes.make(actorOf(request), async (change) =>
        userView(await changeUser(change, await findUser(change.tx, request.params), request.body)),
      ),
  );

  routes.post("/api/v1/users/:id/reset", { schema: { params, response: { 200: UserWithLink } } }, async (request) =>
    changes.make(actorOf(request), async (change) => {
      const user = await findUser(change.tx, request.params);
      const secret = await resetUser(change, user);
      return { user: userView({ ...user, password_hash: null }), setup_link: setupUrl(config, secret) };
    }),
  );
}
