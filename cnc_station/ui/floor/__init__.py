"""The parts of the floor page: machine cards, what needs a person, live charts."""
