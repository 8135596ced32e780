PYTHON ?= python3

.PHONY: run test
run:
	@$(PYTHON) portal/bootstrap.py run
test:
	@$(PYTHON) portal/bootstrap.py test $(ARGS)
