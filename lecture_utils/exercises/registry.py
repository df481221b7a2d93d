"""Which topic an exercise belongs to. A topic's module is imported when one of its exercises is."""

from importlib import import_module

from lecture_utils.exercises.exercise import Wrong

TOPICS = {
    "kl_divergence": ("extra_bits", "both_orders", "kl_of_samples"),
    "kl_is_never_negative": ("kl_of_counts", "pinsker_range", "nudge_coefficient"),
    "kl_is_not_a_distance": ("way_in_legs", "nearest_belief", "saving_off_the_segment"),
    "jensen_shannon": ("coin_information", "js_of_three"),
    "kl_between_gaussians": ("kl_of_precisions", "kl_to_standard_normal", "agree_both_ways"),
    "fitting_with_kl": ("forward_fit", "best_reverse_fit"),
    "unsupervised_learning": ("components_needed", "rand_index"),
    "vanilla_autoencoder": ("largest_principal_angle", "uncopied_share", "beat_pca"),
    "deep_autoencoder": ("n_parameters", "honest_choice", "digits_in_a_plane"),
    "convolutional_autoencoder": ("image_sizes", "receptive_field", "learn_kernel"),
    "contractive_autoencoder": ("jacobian_norms", "relative_sensitivity", "steady_code"),
    "sparse_autoencoder": ("penalty_to_add", "units_in_use", "five_of_many"),
    "denoising_autoencoder": ("two_point_denoiser", "psnr_and_gain", "noise_remover"),
    "variational_autoencoder": ("elbo_of_each", "assumed_and_active", "better_bound"),
    "generating_digits": ("iw_from_all_groups", "effective_draws", "new_ones"),
    "what_autoencoders_are_for": ("alarm_threshold", "auroc_with_ties", "lower_half"),
    "which_autoencoder": ("fair_errors", "unbeaten", "good_at_both"),
}
NAMES = tuple(name for names in TOPICS.values() for name in names)


def find(name):
    """The exercise called `name`.

    Raises
    ------
    Wrong
        When there is none.
    """
    for topic, names in TOPICS.items():
        if name in names:
            exercises = import_module(f"lecture_utils.exercises.{topic}").EXERCISES
            return next(exercise for exercise in exercises if exercise.name == name)
    raise Wrong(f"there is no exercise {name!r}: use the name that the cell came with")
