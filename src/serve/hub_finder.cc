#include "serve/hub_finder.h"

#include "base/log.h"
#include "hub/local_models.h"

namespace rival::serve {
namespace {

FoundModel found_model(const hub::ResolvedModel& resolved) {
  return {.name = resolved.name, .path = resolved.path, .bytes = hub::weights_bytes(resolved.path), .sha256 = hub::known_sha256(resolved.path)};
}

ListedModel listed_model(hub::LocalModel local) {
  ListedModel model{.name = std::move(local.name), .created_s = local.since_s, .bytes = local.bytes, .sha256 = std::move(local.sha256)};
  if (!local.row) return model;
  model.kind = hub::to_text(local.row->kind);
  model.parameters = local.row->parameters;
  model.quantisation = local.row->quantisation;
  return model;
}

Result<FoundModel> fetch_model(const hub::Hub& hub, std::string_view name, bool accept_licence) {
  if (!hub.catalogue().find(name) && !name.starts_with("hf:"))
    return make_error(ErrorCode::kNotFound, "there is no model '{}'", name);
  log(LogLevel::kInfo, "fetching {} for a request", name);
  RIVAL_ASSIGN_OR_RETURN(const hub::ResolvedModel resolved, hub.resolve(name, {.accept_licence = accept_licence}));
  return found_model(resolved);
}

}  // namespace

ModelFinder hub_finder(std::shared_ptr<const hub::Hub> hub, HubFinderOptions options) {
  ModelFinder finder;
  finder.find = [hub, options](std::string_view name) -> Result<FoundModel> {
    RIVAL_ASSIGN_OR_RETURN(const hub::ResolvedModel resolved, hub::find_local_model(*hub, name, options.accept_licence));
    return found_model(resolved);
  };
  if (options.fetch)
    finder.fetch = [hub, options](std::string_view name) { return fetch_model(*hub, name, options.accept_licence); };
  finder.list = [hub] {
    std::vector<ListedModel> list;
    for (hub::LocalModel& local : hub::list_local_models(*hub)) list.push_back(listed_model(std::move(local)));
    return list;
  };
  return finder;
}

}  // namespace rival::serve
