# Three commands: `make classify`, `make run` and `make test`. The rest is what they are made of.
PYTHON ?= python3
VENV ?= .venv
CORES ?= all
ARGS ?=

# The folder of this file: `make -f stargal/Makefile` works in any folder.
CODE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
LISTS ?= $(CODE)/envs
SNAKEMAKE = snakemake --snakefile $(CODE)/Snakefile --cores $(CORES)

# Libraries and Snakemake keep caches in the home folder; a user without one has it in this folder.
ifeq ($(wildcard $(HOME)/.),)
export HOME := $(CURDIR)/.snakemake/home
endif

# What `make classify` and `make fields` take, and their environment, without tensorflow.
FIELDS ?=
SKY ?= mine
ARCHIVE ?=
CLASSIFIER ?=
RADIUS ?= 0
LIGHT ?= .venv-classify

# Names file and line of a fault in YAML, which Snakemake does not.
CHECK = PYTHONPATH=$(CODE)/workflow python -m stargal.plan.check snakemake

# With this variable, which images of containers often set, each process would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

export PATH := $(abspath $(VENV))/bin:$(PATH)

classify fields: export PATH := $(abspath $(LIGHT))/bin:$(PATH)
classify fields: export PYTHONPATH := $(CODE)/workflow

.PHONY: classify fields run test env docs lint types unit workflow test-slurm test-container lock benchmark faults same-bytes clean

classify: $(LIGHT)/stamp  ## catalogues: FIELDS="301-3918-3-213 301-5112-4-345" or FIELDS=@file; ARCHIVE, CLASSIFIER, SKY
	@python $(CODE)/workflow/scripts/write_overlay.py --output "logs/$(SKY)/classify.yaml" --sky "$(SKY)" \
	  --fields "$(FIELDS)" --archive "$(ARCHIVE)" --classifier "$(CLASSIFIER)"
	@$(CHECK) $(ARGS)
	$(SNAKEMAKE) classify --configfile "logs/$(SKY)/classify.yaml" $(ARGS)
	@echo "catalogues: results/$(SKY)/catalogs, and a page of them: results/$(SKY)/catalogs.html"

fields: $(LIGHT)/stamp  ## fields that cover a place: RA=229.5 DEC=42.8, degrees; RADIUS=5, arcminutes
	@python $(CODE)/workflow/scripts/find_fields.py --ra "$(RA)" --dec "$(DEC)" --radius "$(RADIUS)" --archive "$(ARCHIVE)"

run: $(VENV)/run.stamp  ## the default experiment; more arguments in ARGS
	@$(CHECK) $(ARGS)
	$(SNAKEMAKE) $(ARGS)

test: lint types unit workflow docs  ## everything that must pass

env: $(VENV)/test.stamp  ## the environment alone, tests' tools included

lint: $(VENV)/test.stamp
	ruff format --check .
	ruff check .
	snakefmt --check Snakefile workflow
	snakemake --lint

types: $(VENV)/test.stamp
	mypy

unit: $(VENV)/test.stamp
	pytest -n auto tests/unit

workflow: $(VENV)/test.stamp
	pytest -n 2 --dist loadfile tests/workflow

test-slurm: $(VENV)/test.stamp $(VENV)/slurm.stamp  ## profiles/slurm on a SLURM of its own; as root on Debian
	-bash tests/slurm.sh install
	pytest tests/cluster

test-container: $(VENV)/test.stamp  ## Containerfile built and run, its bytes compared; after `bash tests/container.sh install`
	pytest tests/container

benchmark: $(VENV)/test.stamp  ## planning; training, alignment and drawing beside their alternatives; needs STARGAL_MIRROR
	python tests/benchmark_planning.py
	python tests/benchmark_streaming.py
	python tests/benchmark_align.py
	python tests/benchmark_render.py
	python tests/benchmark_training.py
	python tests/benchmark_classify.py

faults: $(VENV)/test.stamp  ## runs killed at 25 moments, full disks, damaged files: half an hour; as root, all of it
	pytest --hypothesis-profile=faults tests/unit/archive/test_damage.py
	pytest -m long tests/workflow
	PYTHONPATH=workflow:tests python tests/workflow/kill_runs.py --kills 25 --seed 1

same-bytes: $(VENV)/test.stamp  ## the default experiment on one processor and on all, in two folders: the same manifest
	folder=$$(mktemp -d) && \
	  taskset --cpu-list 0 snakemake --directory $$folder/one --cores 1 $(ARGS) && \
	  snakemake --directory $$folder/another/place --cores $(CORES) $(ARGS) && \
	  diff $$folder/one/results/*/manifest.sha256 $$folder/another/place/results/*/manifest.sha256 && \
	  echo "the same bytes: $$folder"

docs: export PYTHONPATH := $(abspath workflow)
docs: $(VENV)/docs.stamp  ## the generated documentation, then the site in docs/_build/html; warnings are errors
	python -m stargal.plan.documentation
	python -m sphinx --builder html --nitpicky --fail-on-warning --keep-going --quiet docs docs/_build/html
	pytest tests/site

lock:  ## pin envs/*.in; needs uv
	for name in cpu classify gpu dev docs slurm; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links -o envs/$$name.txt envs/$$name.in; \
	done

clean:  ## results and logs; downloads stay
	rm -rf results/*/ logs benchmarks

# What is imported is compiled when it is: half the time of an environment in which everything is.
INSTALL = $(VENV)/bin/pip install --quiet --no-compile --no-deps --require-hashes

$(LIGHT)/stamp: $(LISTS)/classify.txt
	@$(PYTHON) $(CODE)/envs/supported.py
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/bin/pip install --quiet --no-compile --no-deps --require-hashes -r $(LISTS)/classify.txt
	touch $@

$(VENV)/run.stamp: $(LISTS)/cpu.txt
	@$(PYTHON) $(CODE)/envs/supported.py
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -r $(LISTS)/cpu.txt
	touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp $(LISTS)/dev.txt
	$(INSTALL) -r $(LISTS)/dev.txt
	touch $@

$(VENV)/docs.stamp: $(VENV)/test.stamp $(LISTS)/docs.txt
	$(INSTALL) -r $(LISTS)/docs.txt
	touch $@

$(VENV)/slurm.stamp: $(VENV)/run.stamp $(LISTS)/slurm.txt
	$(INSTALL) -r $(LISTS)/slurm.txt
	touch $@
