using Taba.Client.Commands;
using static Taba.Client.Tests.FamilyCommandLine;

namespace Taba.Client.Tests;

/// <summary>Upstream's default folders, without their time stamps.</summary>
public sealed class UpstreamFoldersTests
{
    [Theory]
    [InlineData("ldm", UpstreamScript.Sample,
        "celeba_ldm_256/sampling_invert_reconstruction/seed_42_T_100_batch_size_64_n_samples_1024"
        + "__with_inversion_False__with_reconstruction_False")]
    [InlineData("ldm", UpstreamScript.Sample,
        "celeba_ldm_256/internal/sampling_invert_reconstruction/seed_42_T_100_batch_size_64_n_samples_1024"
        + "__with_inversion_False__with_reconstruction_False_my_noise",
        "--internal", "--input_noise_path", "in/my noise.pt")]
    [InlineData("dit", UpstreamScript.Sample,
        "dit/sampling_invert_reconstruction/seed_42_T_50_batch_size_64_guidance_scale_1_n_prompts_128_noises_per_prompt_4_cond_seed_10"
        + "__with_inversion_True__with_reconstruction_False",
        "--with_inversion")]
    [InlineData("dit", UpstreamScript.Sample,
        "dit/sampling_invert_reconstruction/seed_42_T_50_batch_size_64_guidance_scale_4.5_labels_golden_retriever_207_noises_per_prompt_2"
        + "__with_inversion_False__with_reconstruction_False_with_input",
        "--labels", "golden retriever,207", "--guidance_scale", "4.5", "--noises_per_prompt", "2", "--input_path", "noise.pt")]
    [InlineData("if", UpstreamScript.Sample,
        "deepfloyd_if/sampling_invert_reconstruction/seed_42_T_50_batch_size_16_guidance_scale_1_n_prompts_128_noises_per_prompt_4"
        + "_cond_seed_10_prompts_hobbit"
        + "__with_inversion_False__with_reconstruction_False",
        "--prompts", "hobbit")]
    [InlineData("if", UpstreamScript.Swap,
        "deepfloyd_if/invert/swap_eps_before3/seed_42_T_50_batch_size_16_guidance_scale_7__with_reconstruction_False",
        "--swap_type", "eps", "--swap_before_t", "3", "--swap_path", "e.pt", "--guidance_scale", "7")]
    [InlineData("ldm", UpstreamScript.Swap,
        "celeba_ldm_256/invert/swap_none_before0/seed_42_T_100_batch_size_64__with_reconstruction_True", "--with_reconstruction")]
    [InlineData("dit", UpstreamScript.Forward,
        "dit/invert/forward_before3_seed_999/seed_1_T_50_batch_size_64_guidance_scale_1__with_reconstruction_False",
        "--forward_before_t", "3", "--forward_seed", "999", "--seed", "1")]
    [InlineData("dit", UpstreamScript.Forward,
        "dit/invert/forward_before3_seed_42_consistent/seed_42_T_50_batch_size_64_guidance_scale_1__with_reconstruction_False",
        "--forward_before_t", "3", "--forward_alignment", "consistent")]
    [InlineData("dit", UpstreamScript.Forward,
        "dit/invert/swap_xt_before2/seed_42_T_50_batch_size_64_guidance_scale_1__with_reconstruction_False",
        "--swap_before_t", "2", "--swap_type", "xt", "--swap_path", "x.pt")]
    [InlineData("dit", UpstreamScript.Forward,
        "DiT-XL-2-512/invert/forward_before0_seed_42/seed_42_T_50_batch_size_64_guidance_scale_1__with_reconstruction_False",
        "--model", "facebook/DiT-XL-2-512")]
    [InlineData("dit", UpstreamScript.Forward,
        "DiT-XL-2-512/invert/forward_before0_seed_42/seed_42_T_50_batch_size_64_guidance_scale_1__with_reconstruction_False",
        "--model", "hub/models--facebook--DiT-XL-2-512/snapshots/0123456789abcdef0123456789abcdef01234567")]
    [InlineData("dit", UpstreamScript.Forward,
        "ünï_数据/invert/forward_before0_seed_42/seed_42_T_50_batch_size_64_guidance_scale_1__with_reconstruction_False",
        "--model", "in/ünï 数据/model.json")]
    public void SaveDir_NotGiven_IsUpstreams(string family, object script, string expected, params string[] args)
    {
        var which = (UpstreamScript)script;
        var inputs = which == UpstreamScript.Sample ? [] : Inputs(family);
        Assert.Equal(
            Path.Combine(["experiments", .. expected.Split('/')]), UpstreamFolders.SaveDir(Read(family, which, [.. inputs, .. args])));
    }

    [Fact]
    public void SaveDir_LongLabels_FitIntoAFolderName()
    {
        var labels = string.Join(',', Enumerable.Range(0, 500));
        var folder = UpstreamFolders.SaveDir(Read("dit", UpstreamScript.Sample, "--labels", labels));
        Assert.InRange(Path.GetFileName(folder).Length, 1, 255);
    }
}
