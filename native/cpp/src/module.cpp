// The Python module: what polystack_llama.pyi describes.
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "backend.hpp"
#include "error.hpp"
#include "model.hpp"

namespace py = pybind11;

namespace polystack {
namespace {

template <typename Value>
py::array_t<Value> as_array(const std::vector<Value>& values) {
  return py::array_t<Value>(static_cast<py::ssize_t>(values.size()), values.data());
}

void bind_facts(py::module_& module) {
  py::class_<Facts>(module, "Facts")
      .def_readonly("description", &Facts::description)
      .def_readonly("parameters", &Facts::parameters)
      .def_readonly("bytes", &Facts::bytes)
      .def_readonly("layers", &Facts::layers)
      .def_readonly("width", &Facts::width)
      .def_readonly("vocabulary", &Facts::vocabulary)
      .def_readonly("sliding_window", &Facts::sliding_window)
      .def_readonly("context", &Facts::context)
      .def_readonly("batch", &Facts::batch)
      .def_readonly("microbatch", &Facts::microbatch);
}

void bind_answer(py::module_& module) {
  py::class_<Answer>(module, "Answer")
      .def_property_readonly("ids", [](const Answer& self) { return as_array(self.ids); })
      .def_property_readonly("token_ns", [](const Answer& self) { return as_array(self.token_ns); })
      .def_property_readonly("margins", [](const Answer& self) { return as_array(self.margins); })
      .def_readonly("stopped", &Answer::stopped)
      .def_readonly("requested_ns", &Answer::requested_ns)
      .def_readonly("prefill_end_ns", &Answer::prefill_end_ns)
      .def_readonly("decode_ns", &Answer::decode_ns)
      .def_readonly("sample_ns", &Answer::sample_ns)
      .def_readonly("ended_ns", &Answer::ended_ns);
}

void bind_scores(py::module_& module) {
  const auto table = [](const auto& values, std::size_t top) {
    auto rows = as_array(values);
    return rows.reshape({static_cast<py::ssize_t>(top == 0 ? 0 : values.size() / top),
                         static_cast<py::ssize_t>(top)});
  };
  py::class_<Scores>(module, "Scores")
      .def_property_readonly("logprobs", [](const Scores& self) { return as_array(self.logprobs); })
      .def_property_readonly("top_ids",
                             [table](const Scores& self) { return table(self.top_ids, self.top); })
      .def_property_readonly("top_logprobs", [table](const Scores& self) {
        return table(self.top_logprobs, self.top);
      });
}

void bind_vocabulary(py::module_& module) {
  py::class_<Vocabulary>(module, "Vocabulary")
      .def(py::init<const std::string&>(), py::arg("path"),
           py::call_guard<py::gil_scoped_release>())
      .def("tokenize", &Vocabulary::tokenize, py::arg("text"), py::kw_only(),
           py::arg("add_bos"));
}

void bind_model(py::module_& module) {
  py::class_<Model>(module, "Model")
      .def(py::init<const std::string&, std::int32_t, std::uint32_t, bool, bool>(),
           py::arg("path"), py::kw_only(), py::arg("threads"), py::arg("context"),
           py::arg("use_mmap") = true, py::arg("keep_threads") = true,
           py::call_guard<py::gil_scoped_release>())
      .def("tokenize", &Model::tokenize, py::arg("text"), py::kw_only(), py::arg("add_bos"))
      .def(
          "detokenize",
          [](const Model& self, const std::vector<llama_token>& ids) {
            return py::bytes(self.detokenize(ids));
          },
          py::arg("ids"))
      .def("generate", &Model::generate, py::arg("prompt_ids"), py::kw_only(),
           py::arg("new_tokens"), py::arg("ignore_eos"), py::arg("want_margins") = false,
           py::call_guard<py::gil_scoped_release>())
      .def("score", &Model::score, py::arg("prompt_ids"), py::arg("answer_ids"), py::kw_only(),
           py::arg("top"), py::call_guard<py::gil_scoped_release>())
      .def("describe", &Model::describe);
}

}  // namespace
}  // namespace polystack

PYBIND11_MODULE(polystack_llama, module) {
  module.doc() = "llama.cpp in process, with a time stamp for every token.";
  py::register_exception<polystack::LlamaError>(module, "LlamaError", PyExc_RuntimeError);
  polystack::bind_facts(module);
  polystack::bind_answer(module);
  polystack::bind_scores(module);
  polystack::bind_vocabulary(module);
  polystack::bind_model(module);
  module.def("system_info", &polystack::system_info);
  module.def("stamp_cost_ns", &polystack::stamp_cost_ns,
             py::call_guard<py::gil_scoped_release>());
  module.def("build_info", &polystack::build_info);
}
