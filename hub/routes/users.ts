// Accounts, for admins: list, make, change the role, disable, and a new link for who forgot the password.
import { CreateUserRequest, listOf, ListQuery, PatchUserRequest, User, UserWithLink } from "@context-edge/protocol";
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
import { pageOf } from "./listing.ts";

export function addUserRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { changes, config, people, store } = hub;
  const params = z.object({ id: z.string() });

  routes.get(
    "/api/v1/users",
    { schema: { querystring: ListQuery, response: { 200: listOf(User) } } },
    async ({ query }) => {
      const page = pageOf(await store.users.list(), ({ id }) => id, query);
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
