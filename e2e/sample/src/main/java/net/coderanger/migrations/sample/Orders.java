package net.coderanger.migrations.sample;

import module java.base;

import io.helidon.http.BadRequestException;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.sql.ResultSet;
import java.sql.SQLException;

/** {@code GET /} lists the orders, {@code POST /} takes one. Only v2 knows of their priority. */
final class Orders implements HttpService {
  private static final List<String> PRIORITIES = List.of("low", "normal", "high");

  private final Database database;
  private final boolean priority;

  Orders(Database database, Version version) {
    this.database = database;
    this.priority = version.hasPriority();
  }

  @Override
  public void routing(HttpRules rules) {
    rules.get("/", this::list).post("/", this::add);
  }

  private void list(ServerRequest request, ServerResponse response) throws SQLException {
    var orders = Json.createArrayBuilder();
    try (var connection = database.connect();
        var select =
            connection.prepareStatement("SELECT " + columns() + " FROM orders ORDER BY id");
        var rows = select.executeQuery()) {
      while (rows.next()) {
        orders.add(order(rows));
      }
    }
    response.send(orders.build());
  }

  private void add(ServerRequest request, ServerResponse response) throws SQLException {
    var order = request.content().as(JsonObject.class);
    var item = order.getString("item", "");
    if (item.isBlank()) {
      throw new BadRequestException("item is missing");
    }
    var urgency = order.getString("priority", "normal");
    if (priority && !PRIORITIES.contains(urgency)) {
      throw new BadRequestException("priority is none of " + PRIORITIES);
    }
    try (var connection = database.connect();
        var insert =
            connection.prepareStatement(
                "INSERT INTO orders "
                    + (priority ? "(item, priority) VALUES (?, ?)" : "(item) VALUES (?)")
                    + " RETURNING "
                    + columns())) {
      insert.setString(1, item);
      if (priority) {
        insert.setString(2, urgency);
      }
      try (var row = insert.executeQuery()) {
        row.next();
        response.status(Status.CREATED_201).send(order(row));
      }
    }
  }

  private String columns() {
    return priority ? "id, item, priority" : "id, item";
  }

  private JsonObject order(ResultSet row) throws SQLException {
    var order =
        Json.createObjectBuilder().add("id", row.getLong("id")).add("item", row.getString("item"));
    if (priority) {
      order.add("priority", row.getString("priority"));
    }
    return order.build();
  }
}
