// The models that the page offers: those that are served, those on this machine, and those that can be fetched.
#include <unistd.h>

#include <map>

#include "serve/page.h"

namespace rival::serve {
namespace {

// A licence is asked for once.
json::object row_json(const Page& page, const hub::Row& row) {
  const bool asks = row.licence.accept && !page.hub().store().licence_accepted(row.licence.id);
  return {{"name", row.name},
          {"kind", hub::to_text(row.kind)},
          {"parameters", row.parameters},
          {"quantisation", row.quantisation},
          {"context", row.context},
          {"bytes", row.total_bytes()},
          {"memory_bytes", row.memory_bytes()},
          {"download_bytes", row.download_bytes()},
          {"licence", {{"id", row.licence.id}, {"url", row.licence.url}, {"accept", asks}}},
          {"origin", row.origin},
          {"note", row.note}};
}

// A model that the catalogue does not know.
json::object listed_json(const ListedModel& model) {
  return {{"name", model.name},
          {"kind", model.kind.empty() ? "instruct" : model.kind},
          {"parameters", model.parameters},
          {"quantisation", model.quantisation},
          {"context", 0},
          {"bytes", model.bytes},
          {"memory_bytes", 0},
          {"download_bytes", 0},
          {"licence", {{"id", ""}, {"url", ""}, {"accept", false}}},
          {"origin", ""},
          {"note", ""}};
}

void add_state(Page& page, json::object& row, const std::string& name, const ListedModel* listed) {
  row["stored"] = row["served"] = listed != nullptr;
  row["loaded"] = listed && listed->loaded;
  row["chats"] = row["kind"].get_string() != "embedding";
  if (listed && listed->bytes > 0) row["bytes"] = listed->bytes;
  for (const auto& model : page.service().models()) {
    if (model->name() != name) continue;
    row["chats"] = !model->embeds();
    if (!model->embeds()) row["context"] = model->engine().context_limit();
  }
  const auto download = page.downloads().find(name);
  if (!download || download->state == "done") return;
  row["download"] = to_json(*download);
}

}  // namespace

PageReply list_page_models(Page& page, Connection&, PageCall&) {
  json::array models;
  std::map<std::string, const ListedModel*> by_name;
  const std::vector<ListedModel> listed = page.service().known_models().list();
  for (const ListedModel& model : listed) {
    by_name[model.name] = &model;
    if (page.hub().catalogue().find(model.name)) continue;
    json::object row = listed_json(model);
    add_state(page, row, model.name, &model);
    models.push_back(std::move(row));
  }
  for (const hub::Row& catalogued : page.hub().catalogue().rows()) {
    json::object row = row_json(page, catalogued);
    const auto here = by_name.find(catalogued.name);
    add_state(page, row, catalogued.name, here == by_name.end() ? nullptr : here->second);
    models.push_back(std::move(row));
  }
  const int64_t free_bytes = int64_t{::sysconf(_SC_AVPHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  return json::object{{"models", std::move(models)}, {"default", listed.empty() ? std::string() : listed.front().name}, {"memory_free", free_bytes}};
}

void start_download(Page& page, PageCall& call) {
  Fields fields(call.body);
  const auto name = fields.text("name");
  const bool accept = fields.boolean("accept_licence", false);
  if (fields.error()) return respond_error(call.exchange, *fields.error());
  // Names of the catalogue only: a page cannot make the server fetch from where it likes.
  const hub::Row* row = name ? page.hub().catalogue().find(*name) : nullptr;
  if (!row) return respond_error(call.exchange, {404, "not_found_error", "there is no model of this name in the catalogue", "name", "model_not_found"});
  if (row->licence.accept && !accept && !page.hub().store().licence_accepted(row->licence.id))
    return respond_error(call.exchange, {400, "invalid_request_error", fmt::format("{} comes under the {} ({}), which has to be accepted first", row->name, row->licence.id, row->licence.url), "accept_licence", "licence_needed"});
  page.downloads().start(call.owner, row->name, accept);
  PageReply(json::object(), 202).send(call.exchange);
}

void cancel_download(Page& page, PageCall& call) {
  Fields fields(call.body);
  const auto name = fields.text("name");
  if (fields.error()) return respond_error(call.exchange, *fields.error());
  page.downloads().cancel(page.hub().stored_name(name.value_or("")));
  PageReply(json::object()).send(call.exchange);
}

}  // namespace rival::serve
